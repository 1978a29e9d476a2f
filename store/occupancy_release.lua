-- Keep a shard no longer.
-- KEYS keeper   ARGV boot id
if redis.call('GET', KEYS[1]) == ARGV[1] then
	redis.call('DEL', KEYS[1])
end
return 'ok'
