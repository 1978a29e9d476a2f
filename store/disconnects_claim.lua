-- Claim what is owed and due, the oldest first. The answer has the id and the JSON of each.
-- KEYS disconnects, due   ARGV most, claim in ms
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local claimed = {}
redis.call('ZREM', KEYS[2], '') -- a write that a full Redis takes, and then it takes the others
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, ARGV[1])) do
	local owed = redis.call('HGET', KEYS[1], id)
	if owed then
		redis.call('ZADD', KEYS[2], now + ARGV[2], id)
		claimed[#claimed + 1] = id
		claimed[#claimed + 1] = owed
	else
		redis.call('ZREM', KEYS[2], id)
	end
end
return claimed
