-- Free a number that nobody holds, that has no rows and owes nothing, and remember for a while who had it.
-- KEYS lease, owner, connections, disconnects, due, synced, presence   ARGV for how long to remember, in ms
if redis.call('EXISTS', KEYS[1], KEYS[3], KEYS[4], KEYS[7]) > 0 then
	return 'held'
end
local owner = redis.call('GET', KEYS[2])
if owner then
	if string.sub(owner, 1, 7) ~= 'reaped:' then
		owner = 'reaped:' .. owner
	end
	redis.call('SET', KEYS[2], owner, 'PX', ARGV[1])
end
redis.call('DEL', KEYS[5], KEYS[6])
return 'ok'
