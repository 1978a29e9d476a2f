-- Write down that it failed, and let it be due in a while; also when it is not there: Redis has lost its memory.
-- KEYS disconnects, due   ARGV id, JSON, wait in ms
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('ZREM', KEYS[2], '') -- a write that a full Redis takes, and then it takes the others
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], now + ARGV[3], ARGV[1])
return 'ok'
