-- Put rows of an edge, unless its number was given up or is another's; what is owed already stays away from the table.
-- No owner: Redis has lost its memory.
-- KEYS owner, connections, disconnects   ARGV boot id, then for each row its id and its JSON
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then
	return 'held'
end
local owing = redis.call('EXISTS', KEYS[3]) == 1
for i = 2, #ARGV, 2 do
	if not owing or redis.call('HEXISTS', KEYS[3], ARGV[i]) == 0 then
		redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
	end
end
return 'ok'
