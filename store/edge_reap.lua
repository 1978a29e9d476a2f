-- Give up a lapsed number: fence its boot, and turn some of its rows into disconnects that are owed, due now.
-- A row's JSON goes over as it is: cjson would spoil its numbers. The form is the one that store/disconnect_json.c reads.
-- KEYS lease, owner, connections, disconnects, due   ARGV most, reason as JSON, the edge's number
if redis.call('EXISTS', KEYS[1]) == 1 then
	return 'held'
end
redis.call('ZREM', KEYS[5], '') -- a write that a full Redis takes, and then it takes the others
local owner = redis.call('GET', KEYS[2]) or ''
local first = string.sub(owner, 1, 7) ~= 'reaped:'
if first then
	redis.call('SET', KEYS[2], 'reaped:' .. owner)
end

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local head = string.format('{"edge":%s,"time":%.0f,"code":1006,"reason":', ARGV[3], now) .. ARGV[2] ..
	',"tries":0,"row":'
local most, n, cursor = tonumber(ARGV[1]), 0, '0'
repeat -- what was there before is gone, so that a scan may meet nothing at first
	local found = redis.call('HSCAN', KEYS[3], cursor, 'COUNT', most)
	local rows = found[2]
	cursor = found[1]
	for i = 1, math.min(#rows, 2 * (most - n)), 2 do
		if redis.call('HSETNX', KEYS[4], rows[i], head .. rows[i + 1] .. '}') == 1 then
			redis.call('ZADD', KEYS[5], now, rows[i])
		end
		n = n + redis.call('HDEL', KEYS[3], rows[i])
	end
until cursor == '0' or n >= most
return {n, redis.call('HLEN', KEYS[3]), first and 1 or 0, owner}
