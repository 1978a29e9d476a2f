-- A claimed channel has been looked at: its next grace ends then, or none runs; unless there was a note meanwhile.
-- KEYS due   ARGV channel, score as claimed, ms since 1970 (0: none runs)
redis.call('ZREM', KEYS[1], '') -- a first write that Redis takes when its memory is full; then it takes the others too
if redis.call('ZSCORE', KEYS[1], ARGV[1]) == ARGV[2] then
	if ARGV[3] == '0' then
		redis.call('ZREM', KEYS[1], ARGV[1])
	else
		redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
	end
end
return 'ok'
