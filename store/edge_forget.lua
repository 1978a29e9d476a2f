-- Free a number that nobody holds and that has no rows, and remember for a while who had it.
-- KEYS lease, owner, connections   ARGV for how long to remember, in ms
if redis.call('EXISTS', KEYS[1], KEYS[3]) > 0 then
	return 'held'
end
local owner = redis.call('GET', KEYS[2])
if owner and string.sub(owner, 1, 10) ~= 'forgotten:' then
	redis.call('SET', KEYS[2], 'forgotten:' .. owner, 'PX', ARGV[1])
end
return 'ok'
