-- Remove the connections of an edge that is dead.
-- KEYS members, order, users, leaving, left   ARGV how many at most, 2 to 5: what the ids of the edge begin with
-- Answer: the members that have left, connections, users, 1: there may be more of them, now in microseconds
redis.call('HDEL', KEYS[1], '') -- a first write that Redis takes when its memory is full; then it takes the others too
local left, most, clock = {}, tonumber(ARGV[1]), redis.call('TIME')
for i = 2, 5 do
	local found = redis.call('ZRANGEBYLEX', KEYS[2], '[' .. ARGV[i], '[' .. ARGV[i] .. '\255', 'LIMIT', 0, most - #left)
	for _, id in ipairs(found) do
		local value = redis.call('HGET', KEYS[1], id) or '0:'
		local n, rest = string.match(value, '^(%d+):(.*)$')
		local user = string.sub(rest, 1, n)
		left[#left + 1] = string.sub(rest, n + 1)
		if user ~= '' then
			if redis.call('HINCRBY', KEYS[3], user, -1) <= 0 then
				redis.call('HDEL', KEYS[3], user)
			end
			if redis.call('HGET', KEYS[5], user) == id then
				redis.call('HDEL', KEYS[5], user)
			end
		end
		redis.call('HDEL', KEYS[1], id)
		redis.call('ZREM', KEYS[2], id)
		redis.call('ZREM', KEYS[4], id)
	end
	if #left >= most then
		break
	end
end
return {left, redis.call('ZCARD', KEYS[2]), redis.call('HLEN', KEYS[3]), #left >= most and 1 or 0,
	clock[1] * 1000000 + clock[2]}
