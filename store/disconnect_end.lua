-- Owe it no longer.
-- KEYS disconnects, due   ARGV id
redis.call('ZREM', KEYS[2], ARGV[1])
return redis.call('HDEL', KEYS[1], ARGV[1]) == 1 and 'ok' or 'gone'
