-- Note that a number was taken from a boot. A Redis with older data may know neither that nor that the boot's lease is
-- over; the number of another boot stays as it is.
-- KEYS lease, owner   ARGV boot id, ttl in ms
local owner = redis.call('GET', KEYS[2])
if owner and owner ~= ARGV[1] then
	return 'held'
end
if redis.call('GET', KEYS[1]) == ARGV[1] then
	redis.call('DEL', KEYS[1])
end
redis.call('SET', KEYS[2], 'reaped:' .. ARGV[1], 'PX', ARGV[2])
return 'ok'
