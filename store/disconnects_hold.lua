-- Claim once more what is still owed.
-- KEYS due   ARGV claim in ms, ids
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('ZREM', KEYS[1], '') -- a write that a full Redis takes, and then it takes the others
for i = 2, #ARGV do
	redis.call('ZADD', KEYS[1], 'XX', now + ARGV[1], ARGV[i])
end
return 'ok'
