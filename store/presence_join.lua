-- A connection joins a channel. It is no news when it was there, or when its user is back within the grace of a leave.
-- Who is too late does not join: its broker may have been stopped meanwhile, and another one may have handled the leave.
-- KEYS members, order, users, leaving, left   ARGV connection id, user ("": anonymous), the member as JSON, not after this ms
-- Answer: the members that have joined, connections, users, now in microseconds; or 'late'
local clock = redis.call('TIME')
if clock[1] * 1000 + math.floor(clock[2] / 1000) > tonumber(ARGV[4]) then
	return 'late'
end
local id, user = ARGV[1], ARGV[2]
local was = redis.call('HGET', KEYS[1], id)
redis.call('HSET', KEYS[1], id, #user .. ':' .. user .. ARGV[3])
redis.call('ZREM', KEYS[4], id)
if not was then
	redis.call('ZADD', KEYS[2], 0, id)
	if user ~= '' then
		redis.call('HINCRBY', KEYS[3], user, 1)
	end
end
local back = user ~= '' and redis.call('HGET', KEYS[5], user)
if back then
	redis.call('HDEL', KEYS[5], user)
	if back ~= id and redis.call('ZREM', KEYS[4], back) == 1 then -- this one takes its place
		redis.call('HDEL', KEYS[1], back)
		redis.call('ZREM', KEYS[2], back)
		redis.call('HINCRBY', KEYS[3], user, -1)
	end
end
return {(was or back) and {} or {ARGV[3]}, redis.call('ZCARD', KEYS[2]), redis.call('HLEN', KEYS[3]), clock[1] * 1000000 + clock[2]}
