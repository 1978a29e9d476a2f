-- Take an edge's number, unless it is another's, another's rows are still there, or it was taken from this boot. Who wants
-- a number that nobody has had is unknown: Redis may have lost that it was given up.
-- KEYS lease, owner, connections, presence   ARGV boot id, ttl in ms, 1: also when nobody has had it
local holder = redis.call('GET', KEYS[1])
local owner = redis.call('GET', KEYS[2])
if owner == 'reaped:' .. ARGV[1] then
	return 'gone'
end
if holder and holder ~= ARGV[1] then
	return 'held'
end
if not holder and owner ~= ARGV[1] and redis.call('EXISTS', KEYS[3], KEYS[4]) > 0 then
	return 'rows'
end
if not owner and ARGV[3] ~= '1' then
	return 'unknown'
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('SET', KEYS[2], ARGV[1])
return 'ok'
