-- Note that a grace of a channel begins now. Each note lowers the score, so that presence_due_done.lua sees whether there was another.
-- KEYS due   ARGV channel, grace in ms
redis.call('ZREM', KEYS[1], '') -- a first write that Redis takes when its memory is full; then it takes the others too
local clock = redis.call('TIME')
local due = clock[1] * 1000 + math.floor(clock[2] / 1000) + tonumber(ARGV[2])
local was = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]))
if was and was <= due then
	due = was - 1
end
redis.call('ZADD', KEYS[1], string.format('%.0f', due), ARGV[1])
return 'ok'
