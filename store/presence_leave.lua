-- A connection leaves a channel: at once, or with a grace, in which its user may come back.
-- KEYS members, order, users, leaving, left   ARGV connection id, grace in ms
--      3 to 6: what the ids of its edge begin with
-- Answer: the members that have left, connections, users, when the grace ends (ms since 1970, 0: it has left),
--      1: no member of this edge is left, now in microseconds
redis.call('HDEL', KEYS[1], '') -- a first write that Redis takes when its memory is full; then it takes the others too
local value = redis.call('HGET', KEYS[1], ARGV[1])
local left, due, clock = {}, 0, redis.call('TIME')
if value then
	local n, rest = string.match(value, '^(%d+):(.*)$')
	local user, member = string.sub(rest, 1, n), string.sub(rest, n + 1)
	if ARGV[2] ~= '0' and user ~= '' then
		due = clock[1] * 1000 + math.floor(clock[2] / 1000) + tonumber(ARGV[2])
		redis.call('ZADD', KEYS[4], 'NX', due, ARGV[1])
		redis.call('HSET', KEYS[5], user, ARGV[1])
	else
		redis.call('HDEL', KEYS[1], ARGV[1])
		redis.call('ZREM', KEYS[2], ARGV[1])
		redis.call('ZREM', KEYS[4], ARGV[1])
		if user ~= '' and redis.call('HINCRBY', KEYS[3], user, -1) <= 0 then
			redis.call('HDEL', KEYS[3], user)
		end
		left[1] = member
	end
end
local empty = 1
for i = 3, 6 do
	if #redis.call('ZRANGEBYLEX', KEYS[2], '[' .. ARGV[i], '[' .. ARGV[i] .. '\255', 'LIMIT', 0, 1) > 0 then
		empty = 0
	end
end
return {left, redis.call('ZCARD', KEYS[2]), redis.call('HLEN', KEYS[3]), due, empty, clock[1] * 1000000 + clock[2]}
