-- Replace the definition of a table, or remove it, when nobody else has changed it.
--
-- KEYS  tables, dropped
-- ARGV  name, "id:generation:" that it has, new definition ("": remove it), then pairs of field and value for dropped
--
-- "ok"; "changed"; "gone": there is no table of this name
local now = redis.call('HGET', KEYS[1], ARGV[1])
if not now then
    return 'gone'
end
if string.sub(now, 1, #ARGV[2]) ~= ARGV[2] then
    return 'changed'
end
for i = 4, #ARGV, 2 do
    redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
end
if ARGV[3] == '' then
    redis.call('HDEL', KEYS[1], ARGV[1])
else
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
end
return 'ok'
