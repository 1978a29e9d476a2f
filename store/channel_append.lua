-- Append a publication to a channel, once for each event of a connection and for each idempotency key.
-- A channel begins a new epoch when its position is missing, belongs to another generation of the store, or is
-- behind what subscribers have already had.
-- This is what a publish costs Redis: each call here counts. So the time of the oldest message is kept with the position
-- (it is this one or an earlier one), and both keys live a little longer, so that few appends have to say so again.
-- KEYS position, history, key, event
-- ARGV 1 generation  2 end of the epoch to begin, should one be needed  3, 4 epoch and offset known to be delivered
--      5 idempotency ttl in ms; 0: no key  6 event ("seq.index"); "": none  7 event ttl in ms
--      8 version, 20 digits; "": none  9 most messages; 0: no history  10 most bytes  11 ttl in ms  12 the publication
-- Answer: what was done, epoch, offset, time in ms
local at = redis.call('HMGET', KEYS[1], 'generation', 'epoch', 'offset', 'bytes', 'version', 'oldest', 'alive', 'ttl')
local epoch, offset, bytes, version = at[2], tonumber(at[3]), tonumber(at[4]) or 0, at[5]
local size, ttl = tonumber(ARGV[9]), tonumber(ARGV[11])
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local begins = not epoch or not offset or at[1] ~= ARGV[1] or ARGV[3] > epoch or
	(epoch == ARGV[3] and offset < tonumber(ARGV[4]))
if begins then -- newer than all that anybody has seen: epochs begin with their time
	local born = now
	for _, old in ipairs({epoch or '', ARGV[3]}) do
		born = math.max(born, (tonumber(string.sub(old, 1, 11), 16) or 0) + 1)
	end
	epoch, offset, bytes, version = string.format('%011x', born) .. ARGV[2], 0, 0, false
end

-- "EPOCH OFFSET TIME" of what was appended before, if it is of this epoch
local function earlier(text)
	local of, o, t = string.match(text or '', '^(%S+) (%d+) (%d+)')
	if of == epoch then
		return o, t
	end
end

local event, before = ARGV[6], ''
if event ~= '' then
	before = redis.call('GET', KEYS[4]) or ''
end
if before ~= '' and not begins and string.find(before, event .. ' ', 1, true) then
	for done, text in string.gmatch(before, '(%S+) ([^;]+);') do
		local o, t = earlier(text)
		if o and done == event then
			return {'repeated', epoch, tonumber(o), tonumber(t)}
		end
	end
end
if ARGV[5] ~= '0' and not begins then
	local o, t = earlier(redis.call('GET', KEYS[3]))
	if o then
		return {'duplicate', epoch, tonumber(o), tonumber(t)}
	end
end
if ARGV[8] ~= '' and version and ARGV[8] <= version then
	return {'suppressed', epoch, offset, now}
end

if begins then
	redis.call('DEL', KEYS[1], KEYS[2])
end
local n, oldest = 0, tonumber(at[6]) or 0
if size > 0 then
	local entry = string.format('%013d', now) .. ARGV[12]
	offset = offset + 1
	n = redis.call('RPUSH', KEYS[2], entry)
	bytes = bytes + #entry
	if n == 1 then -- the first one: what was before has expired, or was cleared
		bytes, oldest = #entry, now
	end
	while n > size or bytes > tonumber(ARGV[10]) do
		local gone = redis.call('LPOP', KEYS[2])
		n, bytes, oldest = n - 1, bytes - #gone, tonumber(string.sub(gone, 1, 13))
		if n == 0 then
			oldest = now
		end
	end
	while oldest <= now - ttl do
		local first = redis.call('LINDEX', KEYS[2], 0)
		oldest = first and tonumber(string.sub(first, 1, 13)) or now
		if oldest <= now - ttl then
			redis.call('LPOP', KEYS[2])
			n, bytes = n - 1, bytes - #first
		end
	end
end
redis.call('HSET', KEYS[1], 'offset', string.format('%d', offset), 'bytes', string.format('%d', bytes),
	'oldest', string.format('%d', oldest)) -- Redis itself needs much longer to write a number
if begins then
	redis.call('HSET', KEYS[1], 'generation', ARGV[1], 'epoch', epoch)
end
if ARGV[8] ~= '' then
	redis.call('HSET', KEYS[1], 'version', ARGV[8])
end
local slack = math.min(math.floor(ttl / 16), 30000)
if begins or n == 1 or at[8] ~= ARGV[11] or now - (tonumber(at[7]) or 0) >= slack then
	redis.call('HSET', KEYS[1], 'alive', now, 'ttl', ARGV[11])
	redis.call('PEXPIRE', KEYS[1], 2 * ttl + 3600000 + slack)
	if size > 0 then
		redis.call('PEXPIRE', KEYS[2], ttl + slack)
	end
end
if ARGV[5] == '0' and event == '' then
	return {'ok', epoch, offset, now}
end
local done = string.format('%s %d %d', epoch, offset, now)
if ARGV[5] ~= '0' then
	redis.call('SET', KEYS[3], done, 'PX', ARGV[5])
end
if event ~= '' then
	if before ~= '' and string.match(before, '^%d+') ~= string.match(event, '^%d+') then
		before = '' -- of an earlier event of this connection: it is done
	end
	redis.call('SET', KEYS[4], before .. event .. ' ' .. done .. ';', 'PX', ARGV[7])
end
return {'ok', epoch, offset, now}
