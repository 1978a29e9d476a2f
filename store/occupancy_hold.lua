-- Keep a shard, or go on keeping it, for a while.
-- KEYS keeper   ARGV boot id, for how long in ms
-- Answer: ok: kept all the time; new: from now on; held: another broker keeps it
local keeper = redis.call('GET', KEYS[1])
if keeper and keeper ~= ARGV[1] then
	return 'held'
end
redis.call('PEXPIRE', KEYS[1], ARGV[2]) -- a first write that Redis takes when its memory is full; then it takes the other too
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return keeper and 'ok' or 'new'
