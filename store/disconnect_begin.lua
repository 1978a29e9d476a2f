-- Take a row out of the table, owe its disconnect, and claim it. Who began first wrote what is owed;
-- only what nobody could read is written anew. The answer is what is owed; false when it is claimed, or due later.
-- KEYS connections, disconnects, due   ARGV id, JSON, claim in ms
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local owed = redis.call('HGET', KEYS[2], ARGV[1])
local due = redis.call('ZSCORE', KEYS[3], ARGV[1])
local readable, content = pcall(cjson.decode, owed or '')
redis.call('HDEL', KEYS[1], ARGV[1]) -- first: a full Redis takes it, and then it takes the others
if not readable or type(content) ~= 'table' or type(content.row) ~= 'table' then
	owed = ARGV[2]
	redis.call('HSET', KEYS[2], ARGV[1], owed)
elseif due and tonumber(due) > now then
	return false
end
redis.call('ZADD', KEYS[3], now + ARGV[3], ARGV[1])
return owed
