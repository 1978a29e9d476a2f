-- Claim channels with a grace that is over: for a while no other broker gets them.
-- KEYS due   ARGV how many at most, for how long in ms
-- Answer: {channel, score as claimed, ...}
redis.call('ZREM', KEYS[1], '') -- a first write that Redis takes when its memory is full; then it takes the others too
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local claimed = {}
for _, channel in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])) do
	local until_ms = string.format('%.0f', now + tonumber(ARGV[2]))
	redis.call('ZADD', KEYS[1], until_ms, channel)
	claimed[#claimed + 1] = channel
	claimed[#claimed + 1] = until_ms
end
return claimed
