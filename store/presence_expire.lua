-- Remove the connections whose grace is over.
-- KEYS members, order, users, leaving, left   ARGV how many at most
-- Answer: the members that have left, connections, users, when the next grace ends (ms since 1970, 0: none runs), now in microseconds
redis.call('HDEL', KEYS[1], '') -- a first write that Redis takes when its memory is full; then it takes the others too
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local left = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', now, 'LIMIT', 0, ARGV[1])) do
	local value = redis.call('HGET', KEYS[1], id)
	if value then
		local n, rest = string.match(value, '^(%d+):(.*)$')
		local user = string.sub(rest, 1, n)
		left[#left + 1] = string.sub(rest, n + 1)
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
local next = redis.call('ZRANGE', KEYS[4], 0, 0, 'WITHSCORES')
return {left, redis.call('ZCARD', KEYS[2]), redis.call('HLEN', KEYS[3]), math.ceil(tonumber(next[2] or 0)),
	clock[1] * 1000000 + clock[2]}
