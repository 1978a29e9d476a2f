-- Take a channel off the list, unless it was noted again meanwhile.
-- KEYS channels of the edge   ARGV channel, its score before it was seen to be empty
if redis.call('ZSCORE', KEYS[1], ARGV[1]) == ARGV[2] then
	redis.call('ZREM', KEYS[1], ARGV[1])
end
return 'ok'
