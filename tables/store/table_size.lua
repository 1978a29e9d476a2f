-- How many items a shard has, and how large some of them are.
--
-- KEYS  items, order, and order or an index: what is counted
-- ARGV  how many to look at
--
-- number, of how many the size is known, their size (as DynamoDB counts it)
local keys = redis.call('ZRANDMEMBER', KEYS[2], ARGV[1])
local n, bytes = 0, 0
for _, key in ipairs(keys) do
    local length = redis.call('HSTRLEN', KEYS[1], key)
    if length > 16 then
        n, bytes = n + 1, bytes + length - 16
    end
end
return {redis.call('ZCARD', KEYS[3]), n, bytes}
