-- Owe it again, due now; what is owed still (a crash came between parking and ending) stays as it is.
-- KEYS disconnects, due   ARGV id, JSON
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
if redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) == 1 then
	redis.call('ZADD', KEYS[2], now, ARGV[1])
end
return 'ok'
