-- Enter a new table in the catalog.
--
-- KEYS  tables, dropped
-- ARGV  name, definition, id
--
-- "ok"; "taken": there is a table of this name; "gone": its preparation took so long that it was removed
local state = redis.call('HGET', KEYS[2], ARGV[3])
if not state or string.sub(state, 1, 2) == '0:' then
    return 'gone'
end
if redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) == 0 then
    return 'taken'
end
redis.call('HDEL', KEYS[2], ARGV[3])
return 'ok'
