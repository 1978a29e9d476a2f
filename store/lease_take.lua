-- Take an edge's number, unless it is another's or another's rows are still there.
-- KEYS lease, owner, connections   ARGV boot id, ttl in ms
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
	return 'held'
end
if not holder and redis.call('EXISTS', KEYS[3]) == 1 and redis.call('GET', KEYS[2]) ~= ARGV[1] then
	return 'rows'
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('SET', KEYS[2], ARGV[1])
return 'ok'
