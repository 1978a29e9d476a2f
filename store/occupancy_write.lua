-- Write what a channel's occupancy is, if the shard is still kept by who asks. A full Redis refuses only channels that were
-- vacated before.
-- KEYS keeper, occupancy   ARGV boot id, channel, the text ("": vacated, and its webhook has handled it)
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
	return 'held'
end
if ARGV[3] == '' then
	redis.call('HDEL', KEYS[2], ARGV[2])
	return 'ok'
end
if redis.call('HEXISTS', KEYS[2], ARGV[2]) == 1 then
	redis.call('HDEL', KEYS[2], '') -- a first write that Redis takes when its memory is full; then it takes the other too
end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
return 'ok'
