-- How many are in a channel, and some of them, in the order of their ids.
-- KEYS members, order, users   ARGV behind this id ("": from the first on), how many at most
-- Answer: members, connections, users, the last id here when more follow, else ""
local after, most = ARGV[1], tonumber(ARGV[2])
local found, members, next = {}, {}, ''
if most > 0 then
	found = redis.call('ZRANGEBYLEX', KEYS[2], after == '' and '-' or '(' .. after, '+', 'LIMIT', 0, most + 1)
end
if #found > most then
	found[#found] = nil
	next = found[#found]
end
for i, id in ipairs(found) do
	local n, rest = string.match(redis.call('HGET', KEYS[1], id) or '0:{}', '^(%d+):(.*)$')
	members[i] = string.sub(rest, n + 1)
end
return {members, redis.call('ZCARD', KEYS[2]), redis.call('HLEN', KEYS[3]), next}
