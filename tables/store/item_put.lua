-- Replace an item of a table without indexes, whatever was there.
--
-- KEYS  items, order, locks, and expiry when the table has TTL
-- ARGV  generation of the table, stored key, blob, and with TTL the expiry in seconds (0: none)
--
-- "ok"; "stale": the table has changed or is deleted; "locked": a write of this shard has a lock
local generation = redis.call('HGET', KEYS[1], '')
if generation ~= ARGV[1] then
    if not generation or tonumber(generation) > tonumber(ARGV[1]) then
        return 'stale'
    end
    redis.call('HSET', KEYS[1], '', ARGV[1])
end
if redis.call('EXISTS', KEYS[3]) == 1 then
    return 'locked'
end
if #ARGV[3] > 1024 and #ARGV[3] > tonumber(redis.call('HGET', KEYS[1], 'largest') or 0) then
    redis.call('HSET', KEYS[1], 'largest', #ARGV[3]) -- for page.c
end
if redis.call('HSET', KEYS[1], ARGV[2], ARGV[3]) == 1 then
    redis.call('ZADD', KEYS[2], 0, ARGV[2])
end
if KEYS[4] then
    if ARGV[4] ~= '0' then
        redis.call('ZADD', KEYS[4], ARGV[4], ARGV[2])
    else
        redis.call('ZREM', KEYS[4], ARGV[2])
    end
end
return 'ok'
