-- Keep an edge's number. No lease and no owner: Redis has lost its memory, not we our number.
-- KEYS lease, owner   ARGV boot id, ttl in ms
local holder = redis.call('GET', KEYS[1])
local owner = redis.call('GET', KEYS[2])
if owner == 'reaped:' .. ARGV[1] or (not holder and owner == 'reaped:') then
	return 'gone'
end
if holder and holder ~= ARGV[1] then
	return 'held'
end
if not holder and owner and owner ~= ARGV[1] then
	return 'held'
end
redis.call('PEXPIRE', KEYS[1], ARGV[2]) -- a first write that Redis takes when its memory is full; then it takes the others too
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('SET', KEYS[2], ARGV[1])
return 'ok'
