-- Tell a shard which generation its table has. A write of an older one is refused from here on.
--
-- KEYS  items
-- ARGV  generation
--
-- "ok"; "gone": the table is deleted
local now = redis.call('HGET', KEYS[1], '')
if not now then
    return 'gone'
end
if tonumber(now) < tonumber(ARGV[1]) then
    redis.call('HSET', KEYS[1], '', ARGV[1])
end
return 'ok'
