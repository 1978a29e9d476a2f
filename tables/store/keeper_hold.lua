-- Become, or stay, the one broker that removes expired items and dropped tables.
--
-- KEYS  keeper
-- ARGV  boot id, ttl in ms
--
-- "ok", or "held" by another
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
    return 'held'
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 'ok'
