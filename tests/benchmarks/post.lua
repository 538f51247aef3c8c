-- After `--`: an API key, then files, which are posted in turn. Prints one line of JSON at the end.

function init(arguments)
  requests = {}
  local headers = { ["content-type"] = "application/json", ["authorization"] = "Bearer " .. arguments[1] }
  for index = 2, #arguments do
    local file = assert(io.open(arguments[index], "rb"))
    requests[index - 1] = wrk.format("POST", nil, headers, file:read("*a"))
    file:close()
  end
  turn = 0
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "duration_us": %d, "p50_us": %d, "p99_us": %d, "errors": %d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout
  ))
end
