-- Note when the next grace of a channel ends. Each note lowers the score, so that presence_due_done.lua sees whether there was another.
-- KEYS due   ARGV channel, ms since 1970
local due, was = tonumber(ARGV[2]), tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]))
if was and was <= due then
	due = was - 1
end
redis.call('ZADD', KEYS[1], string.format('%.0f', due), ARGV[1])
return 'ok'
