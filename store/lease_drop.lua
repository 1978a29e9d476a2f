-- Give an edge's number up before its time. Its rows, if any, still know their owner.
-- KEYS lease   ARGV boot id
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
	return 'gone'
end
redis.call('DEL', KEYS[1])
return 'ok'
