# Sourced by Heroku when a dyno starts: `heroku run rejoinder doctor`.
export PATH="$HOME/bin:$PATH"
