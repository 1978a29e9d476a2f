-- Connections of an edge in a channel, in the order of their ids.
-- KEYS order   ARGV behind this id ("": from the first on), how many at most, 3 to 6: what the ids begin with, in order
local after, most, ids = ARGV[1], tonumber(ARGV[2]), {}
for i = 3, 6 do
	if ARGV[i] >= string.sub(after, 1, #ARGV[i]) then
		local from = string.sub(after, 1, #ARGV[i]) == ARGV[i] and '(' .. after or '[' .. ARGV[i]
		for _, id in ipairs(redis.call('ZRANGEBYLEX', KEYS[1], from, '[' .. ARGV[i] .. '\255', 'LIMIT', 0, most - #ids)) do
			ids[#ids + 1] = id
		end
	end
	if #ids >= most then
		break
	end
end
return ids
