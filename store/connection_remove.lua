-- Remove a row, and what is owed of it.
-- KEYS connections, disconnects, due   ARGV id
local n = redis.call('HDEL', KEYS[1], ARGV[1]) + redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
return n > 0 and 'ok' or 'gone'
