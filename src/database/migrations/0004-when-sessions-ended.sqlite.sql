create index ended_session_at on ended_session (at);
