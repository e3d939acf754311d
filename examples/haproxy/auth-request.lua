-- HAProxy has no auth_request of its own. `http-request lua.auth-request URL` asks URL who a request comes
-- from: it goes on with the answer's identity headers and without Latchkey's cookies, or is answered here.

local IDENTITY = { "remote-account", "remote-session" }
local ASKED_WITH = {
  "accept", "cookie", "latchkey-background", "sec-fetch-mode", "secure-session-skipped",
  "user-agent", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto",
}
-- How the names begin, after __Host- or __Secure-, of cookies that open sessions. While
-- LATCHKEY_IMPORTED_COOKIE is set the old cookie does, too: add its name, like "authjs.session-token".
local OWN_COOKIES = { "latchkey" }
-- Set-Cookie: a bound cookie that proves nothing any more is taken away, so that the browser gets another one.
local PASSED_ON = { "cache-control", "content-type", "location", "set-cookie" }
local PATIENCE = 30000 -- ms
local UNAVAILABLE = "Not available right now. Try again in a moment; nobody was logged out.\n"

local function ask(txn, url, headers)
  local asked = {
    ["x-forwarded-method"] = { txn.f:method() },
    ["x-forwarded-uri"] = { txn.f:pathq() },
  }
  for _, name in ipairs(ASKED_WITH) do
    local values = headers[name]
    if values then
      asked[name] = {}
      for index = 0, #values do asked[name][index + 1] = values[index] end
    end
  end
  return core.httpclient():get({ url = url, headers = asked, timeout = PATIENCE })
end

local function is_own(cookie)
  local name = cookie:match("^%s*([^=]*)"):gsub("^__Host%-", ""):gsub("^__Secure%-", "")
  for _, own in ipairs(OWN_COOKIES) do
    if name:sub(1, #own) == own then return true end
  end
  return false
end

-- The session's cookie is none of the app's business.
local function leave_out_cookies(txn, headers)
  local values = headers["cookie"]
  if not values then return end
  txn.http:req_del_header("cookie")
  for index = 0, #values do
    local kept = {}
    for pair in values[index]:gmatch("[^;]+") do
      if not is_own(pair) then kept[#kept + 1] = pair:match("^%s*(.*)$") end
    end
    if #kept > 0 then txn.http:req_add_header("cookie", table.concat(kept, "; ")) end
  end
end

local function pass_on(txn, answer)
  local reply = txn:reply({ status = answer.status })
  for _, name in ipairs(PASSED_ON) do
    local values = answer.headers[name]
    if values then reply:add_header(name, values[0]) end
  end
  if answer.body then reply:set_body(answer.body) end
  txn:done(reply)
end

local function refuse(txn)
  local reply = txn:reply({ status = 503 })
  reply:add_header("content-type", "text/plain")
  reply:add_header("cache-control", "no-store")
  reply:add_header("retry-after", "2")
  reply:set_body(UNAVAILABLE)
  txn:done(reply)
end

core.register_action("auth-request", { "http-req" }, function(txn, url)
  local headers = txn.http:req_get_headers()
  local asked, answer = pcall(ask, txn, url, headers)
  if not asked or not answer or not answer.headers then return refuse(txn) end
  local status = answer.status
  if status == 401 or status == 302 or status == 303 then return pass_on(txn, answer) end
  -- Whatever else isn't a 204 that names an account and its session lets nobody through.
  for _, name in ipairs(IDENTITY) do
    local values = answer.headers[name]
    if status ~= 204 or not values or values[0] == "" then return refuse(txn) end
    txn.http:req_set_header(name, values[0])
  end
  -- The email address comes only once it is confirmed; a client's own never does.
  txn.http:req_del_header("remote-user")
  local user = answer.headers["remote-user"]
  if user and user[0] ~= "" then txn.http:req_set_header("remote-user", user[0]) end
  local cookies = answer.headers["set-cookie"]
  if cookies then txn:set_var("txn.latchkey_cookie", cookies[0]) end
  leave_out_cookies(txn, headers)
end, 1)
