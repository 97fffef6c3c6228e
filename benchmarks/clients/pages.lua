-- wrk: GET one of the lines of a file (PATH \t TOKEN) at random, each request made ready beforehand.
-- wrk ... -s pages.lua URL -- FILE SEED
local requests, count, state = {}, 0, 1

function init(args)
  for line in io.lines(args[1]) do
    local path, token = line:match("^([^\t]+)\t(.+)$")
    count = count + 1
    requests[count] = wrk.format("GET", path, { ["Authorization"] = "Bearer " .. token, ["Host"] = "127.0.0.1" })
  end
  state = tonumber(args[2]) * 7919 + math.floor(tonumber(tostring({}):match("0x(%x+)"), 16) % 1000003)
end

function request()
  state = (state * 1103515245 + 12345) % 2147483648
  return requests[math.floor(state / 65536) % count + 1]
end

function done(summary, latency)
  local failed = summary.errors
  io.write(string.format(
    '\nRESULT {"pages":%d,"seconds":%.6f,"bytes":%d,"refused":%d,"broken":%d,"p50_ms":%.3f,"p99_ms":%.3f}\n',
    summary.requests, summary.duration / 1e6, summary.bytes, failed.status,
    failed.connect + failed.read + failed.write + failed.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
