-- Append publications to channels, each once for each event of a connection and for each idempotency key.
-- A channel begins a new epoch when its position is missing, belongs to another generation of the store, or is
-- behind what subscribers have already had.
-- This is what publishing costs Redis, so each call, word and conversion here counts: one call takes all publications
-- that are ready, what comes with one is packed, the time is the broker's, what events have published is a hash for all
-- of some minutes, and all keys live a little longer, so that few appends have to say so again.
-- An event that was sent again may be appended before its first copy, which a broker left in Redis's socket.
-- KEYS of each: position, history, events of the event's period (if there is one), idempotency key (if there is one)
-- ARGV of each: 1 packed: how many keys it has, most messages (0: no history), most bytes, ttl in ms, idempotency ttl in
--      ms (0: no key), ttl of events in ms, offset known to be delivered and its epoch, generation, end of the epoch to
--      begin should one be needed, event ('': none), place of its publication among the events, version of 20 digits
--      ('': none)  2 time in ms of 13 digits, and the publication
-- Answer: for each its error, or packed: what was done (append, repeat, duplicate, suppress: the first letter), offset,
--      time in ms, epoch
local function append(head, entry, k)
	local keys, size, most, ttl, key_ttl, events_ttl, known, known_epoch, asked, ending, event, place, new_version =
		struct.unpack('>BI8I8I8I8I8I8Bc0Bc0Bc0Bc0Bc0Bc0', head)
	local time = string.sub(entry, 1, 13)
	local now, n = tonumber(time), 0
	local at = call('GET', KEYS[k])
	local offset, bytes, oldest, alive, lives, epoch, version, generation = unpack_position(at)
	local begins = is_over(epoch, offset, generation, known_epoch, known, asked)
	if begins then
		epoch, offset, bytes, version = new_epoch(ending, epoch, known_epoch), 0, 0, ''
		call('DEL', KEYS[k], KEYS[k + 1])
	else
		local before = event ~= '' and call('HGET', KEYS[k + 2], place)
		if before and string.sub(before, 1, #event + 1) == event .. ' ' then
			local of, o, t = string.match(before, ' (%S+) (%d+) (%d+)')
			if of == epoch then
				return struct.pack('>c1I8I8s', 'r', o, t, epoch)
			end
		end
		if key_ttl > 0 then
			local of, o, t = string.match(call('GET', KEYS[k + keys - 1]) or '', '^(%S+) (%d+) (%d+)')
			if of == epoch then
				return struct.pack('>c1I8I8s', 'd', o, t, epoch)
			end
		end
		if new_version ~= '' and new_version <= version then
			return struct.pack('>c1I8I8s', 's', offset, now, epoch)
		end
	end

	if size > 0 then
		offset = offset + 1
		n = call('RPUSH', KEYS[k + 1], entry)
		bytes = bytes + #entry
		if n == 1 then -- the first one: what was before has expired, or was cleared
			bytes, oldest = #entry, now
		end
		while n > size or bytes > most do
			local gone = call('LPOP', KEYS[k + 1])
			n, bytes, oldest = n - 1, bytes - #gone, tonumber(string.sub(gone, 1, 13)) -- or later than that
			if n == 0 then
				oldest = now
			end
		end
		while oldest <= now - ttl do
			local first = call('LINDEX', KEYS[k + 1], 0)
			oldest = first and tonumber(string.sub(first, 1, 13)) or now
			if oldest <= now - ttl then
				call('LPOP', KEYS[k + 1])
				n, bytes = n - 1, bytes - #first
			end
		end
	end
	if new_version ~= '' then
		version = new_version
	end
	local slack = math.min(math.floor(ttl / 16), 30000)
	local lives_longer = begins or n == 1 or lives ~= ttl or now - alive >= slack
	if lives_longer then
		alive = now
	end
	call('SET', KEYS[k], pack_position(offset, bytes, oldest, alive, ttl, epoch, version, asked), 'KEEPTTL')
	if lives_longer then
		call('PEXPIRE', KEYS[k], 2 * ttl + 3600000 + slack)
		if size > 0 then
			call('PEXPIRE', KEYS[k + 1], ttl + slack)
		end
	end
	if key_ttl > 0 then
		call('SET', KEYS[k + keys - 1], string.format('%s %d %s', epoch, offset, time), 'PX', key_ttl)
	end
	if event ~= '' and call('HSET', KEYS[k + 2], place, string.format('%s %s %d %s', event, epoch, offset, time)) == 1 and
		call('HLEN', KEYS[k + 2]) == 1 then
		call('PEXPIRE', KEYS[k + 2], events_ttl)
	end
	return struct.pack('>c1I8I8s', 'a', offset, now, epoch)
end

local answers, k = {}, 1
for i = 1, #ARGV, 2 do
	local done, answer = pcall(append, ARGV[i], ARGV[i + 1], k)
	if not done then -- as Redis 6 has it when a script fails; there the error is a text
		answer = {err = 'ERR Error running script: @user_script: ' .. (type(answer) == 'table' and answer.err or answer)}
	end
	answers[#answers + 1] = answer
	k = k + string.byte(ARGV[i])
end
return answers
