-- Read items at one moment.
--
-- KEYS  items, one for each
-- ARGV  stored keys, one for each
--
-- generation of its table and blob, for each; nil stands for what is not there
local found = {}
for i = 1, #KEYS do
    found[2 * i - 1] = redis.call('HGET', KEYS[i], '')
    found[2 * i] = redis.call('HGET', KEYS[i], ARGV[i])
end
return found
