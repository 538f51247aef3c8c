"""Shells and what is written beside code: sh, PowerShell, Dockerfiles, makefiles, HTTP messages, sessions."""

from __future__ import annotations

_COMMAND = r"""(?:
  apt|apt-get|aws|awk|az|brew|bundle|cargo|cat|cd|chmod|chown|cmake|composer|conda|cp|crontab|curl|
  cut|dd|deno|df|diff|dig|dnf|docker|docker-compose|dotnet|du|echo|env|ffmpeg|find|flutter|gcc|g\+\+|
  gcloud|gem|gh|git|go|gradle|grep|gunzip|gzip|head|helm|htop|ifconfig|ip|java|javac|jq|journalctl|
  jupyter|kill|kubectl|less|ln|ls|lsof|make|mkdir|mongo|mv|mvn|mysql|mysqldump|nano|nc|netstat|node|
  npm|npx|nvm|openssl|pacman|perl|php|ping|pip|pip3|pipenv|pnpm|poetry|printf|ps|psql|pytest|python|
  python3|redis-cli|rm|rsync|ruby|rustc|scp|sed|service|sh|bash|zsh|sleep|snap|sort|source|ssh|sudo|
  systemctl|tail|tar|tee|terraform|touch|tr|ufw|uniq|unzip|uv|uvicorn|vim|virtualenv|watch|wc|wget|
  which|xargs|yarn|yum|zip
)"""
_VERB = r"""(?:
  install|add|run|build|clone|commit|push|pull|checkout|status|diff|log|logs|exec|apply|get|describe|
  delete|test|init|start|stop|restart|enable|mod|up|down|compose|ps|images|merge|rebase|fetch|stash|
  branch|reset|switch|tag|login|create|update|upgrade|list|show|plan|publish|config|remote|show-ref|
  ci|clean|fmt|vet|ls|cp|rm
)"""

PROMPT = r"""(?:
    >>>(?:\s|$) | \$\s+(?:[a-z.~/_]|[A-Z_]+=) | [\w.-]+@[\w.-]+(?:[:~\s]\S*)?\s?[$\#%](?:\s|$) | bash[-\d.]*[$\#]
  | (?:In|Out)\ ?\[\d+\]: | PS(?:\ [A-Z]:\S*)?>\s | [A-Z]:\\[^<>|?*]*>\s?\S | \w+(?:=|-|\(|\*|'|")[\#>]\s
  | (?:mysql|mariadb|redis|redis-cli|sqlite|mongo|mongosh|ghci|irb|iex|php|node
     |julia|scala|jshell|SQL|cqlsh|psql|test|admin)
    (?:[\s(\[][^>\n]{0,40}[)\]\d])?>\s\S
  | \d{1,3}(?:\.\d{1,3}){3}:\d+>\s | \((?:gdb|lldb|[Pp]db\+*|venv|base|\.venv)\)\s
)"""

LINES = {
    "prompts": PROMPT,
    "sh": r"""
      \#!\s?/ | (?:if|elif|while|until)\s+(?:!\s|\[{1,2}\s|\(\(|test\s|grep\s|read\s|true\b).*
      | (?:then|do|fi|done|esac)[;)]*$ | done\s*(?:[<|>&].*)$ | for\s+\w+\s+in\s.*[$"*{.].*
      | for\s+\w+\s+in\s.*;\s*do$ | case\s+["']?\$.*\sin$ | [^()\s]+\)\s.*;;$ | [\w-]+\(\)\s*\{
      | (?:readonly|declare|typeset|local|export|unset|trap|shopt|ulimit|umask|alias)\s+[-\w"'$]+(?:=.*)?$
      | set\s+[-+][a-z]+\b | .*\s<<[-~]?\s?["']?[A-Z_]+["']?\b | (?:\.|source)\s+[\w./~$-]+$ | exit\s+\d+$
      | \S.*\s\\$
      | [^?!]*\s\|\s*(?:grep|awk|sed|sort|wc|head|tail|xargs|tee|uniq|cut|jq|tr|less|more|bash|sh|column|base64)\b
      | \S+\s.*\s(?:&&|\|\||2>&1|>>?)\s?[\w./$"&~-]+.*$
    """,
    "commands": rf"""
      (?:sudo\s+)?{_COMMAND}(?=\s)(?!.*[.?!:]$)(?!.*(?:\s[a-z']+){{4}})
        (?=(?:\s+-[\w-]+)?\s+{_VERB}\b | .*\s(?:-{{1,2}}\w|[\w/~$*"'=\\-]*[./~$*"'=\\:][\w/*$]))
      | (?:ls|pwd|clear|make|htop|exit|logout|top|whoami|ifconfig)$
    """,
    "PowerShell": r"""
      (?:Get|Set|New|Remove|Add|Write|Import|Export|Invoke|Start|Stop|Test|Where|Select|Sort|ForEach|Out|ConvertTo|
        ConvertFrom|Join|Split|Copy|Move|Rename|Enable|Disable|Connect|Disconnect|Install|Uninstall|Update|Read|Clear
        |Format|Measure|Enter|Exit|Group|Compare|Register|Restart|Wait|Resolve|Save|Send|Show|Push|Pop)-[A-Z]\w+(?:\s|$|[)|;])
      | \[(?:CmdletBinding|Parameter|Validate\w+|Alias|OutputType)\( | param\s*\($ | <\# | \#>$
      | \[\w+(?:\[\])?\]\s*\$\w+ | function\s+\w+-\w+ | (?:process|begin|end|finally|try|trap)\s*\{$
      | \$\w+(?::\w+)?\s*[=|]
    """,
    "Dockerfiles": r"""
      (?:FROM|RUN|CMD|COPY|ADD|WORKDIR|EXPOSE|ENV|ARG|ENTRYPOINT|USER|VOLUME|LABEL|HEALTHCHECK|STOPSIGNAL
        |SHELL)\s+[\w./\["$-]+
        (?:[\s:=,].*)?(?<![.?!])$
    """,
    "makefiles": r"""
      \.(?:PHONY|SUFFIXES|DEFAULT|SILENT)\b.*: | [\w./%-]+\s*:\s*(?:[\w./%$()-]+\.\w+|\$\(\w+\))(?:\s.*)?$
      | (?:ifeq|ifneq|ifdef|ifndef|endif|else|include|export|define|endef)\b\s*[($\w./]*.*(?<=[)\w])$(?<![a-z]\s\w{2})
      | \$\(\w+\)\s
    """,
    "HTTP": r"""
      (?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|CONNECT|TRACE)\s+(?:/|https?:)\S*(?:\s+HTTP/[\d.]+)?$
      | HTTP/[\d.]+\s\d{3}\b | [<>*]\s(?:(?:GET|POST|PUT|DELETE|HEAD)\s/|HTTP/)
      | (?:Host|Authorization|Cookie|Location|Server|Origin|Referer|ETag|Vary|Via):\s\S+(?:[;,]?\s\S+){0,8}$(?<![?!.])
      | (?:Accept|Content|User|Cache|Set|Transfer|If|Last|Access|Strict|Upgrade|Sec|Retry|Keep|X)(?:-[A-Z][\w]*)+:\s\S
    """,
}
