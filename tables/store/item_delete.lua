-- Remove an item of a table without indexes, whether it is there or not.
--
-- KEYS  items, order, locks, expiry
-- ARGV  generation of the table, stored key
--
-- as item_put
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
if redis.call('HDEL', KEYS[1], ARGV[2]) == 1 then
    redis.call('ZREM', KEYS[2], ARGV[2])
    redis.call('ZREM', KEYS[4], ARGV[2])
end
return 'ok'
