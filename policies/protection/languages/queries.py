"""Languages of queries and styles: SQL, GraphQL, CSS, SCSS; and Terraform and nginx by their braces."""

from __future__ import annotations

LINES = {
    "SQL": r"""
      SELECT\s.*
      | (?:INSERT\ INTO|DELETE\ FROM|CREATE\ (?:OR\ REPLACE\ )?(?:TEMP\w*\ |UNIQUE\ )?(?:TABLE|INDEX|VIEW|
        FUNCTION|TRIGGER|DATABASE|SCHEMA|TYPE|USER|ROLE|EXTENSION|PROCEDURE)
        |ALTER\ TABLE|DROP\ (?:TABLE|INDEX|VIEW|DATABASE)|GROUP\ BY|ORDER\ BY
        |PARTITION\ BY|(?:LEFT\ |RIGHT\ |INNER\ |OUTER\ |FULL\ |CROSS\ |NATURAL\ )*JOIN
        |FROM|WHERE|HAVING|VALUES|UPDATE|RETURNING|UNION(?:\ ALL)?|LIMIT|OFFSET
        |TRUNCATE|GRANT|REVOKE|EXPLAIN|WITH|SET)\s*(?:[\w(`"\[*@]|$)
        (?!.*[.?!]$)
      | (?:AND|OR|ON|NOT)\s+[\w."`(]+.*(?:[=<>]|\bIS\b|\bIN\b|\bLIKE\b|\bBETWEEN\b|\bEXISTS\b)
      | (?:BEGIN|COMMIT|ROLLBACK|END|GO|UNION|SELECT|VALUES)(?:\s+TRANSACTION|\s+WORK)?;?$
      | create\s+(?:or\s+replace\s+)?(?:table|view|index|function|trigger|database|schema|type|unique\s+index)
        \s+(?:if\s+not\s+exists\s+)?[\w."`]+
      | select\s+.*(?:\bfrom\b|[*,(]).* | insert\s+into\s+[\w."`]+\s*(?:\(|values|select|$)
      | delete\s+from\s+[\w."`]+(?:\s+where\b.*|;|$) | update\s+\w+\s+set\s | set\s+\w+\s*=\s | values\s*\(
      | with\s+\w+\s+as\s*\( | limit\s+\d+;?$ | (?:group|order)\s+by\s+[\w.,\s()]+(?:desc|asc)?;?$
      | (?:left\s|right\s|inner\s|outer\s|full\s|cross\s)*join\s+\w+(?:\s+(?:as\s+)?\w+)?(?:\s+on\s.*)?$
      | (?:where|and|or|having)\s+[\w."`()]+\s*(?:[=<>]|(?:not\s+)?in\s*\(|is\s+(?:not\s+)?null|like\s+'|between\s)
      | from\s+\w+(?:\s+\w{1,2})?;?$
    """,
    "CSS": r"""
      @(?:import|use|media|include|mixin|font-face|keyframes|extend|forward|charset|supports|layer|tailwind|apply|page)
        \b.*[;{'")\w]$
      | [$@]?-{0,2}[a-z][\w-]*\s*:\s*[^;:]*;(?:\s*/[/*].*)?$ | [.\#&*:\w\[][^{}]*\{[^{}]*[:;][^{}]*\}$
      | [.\#:&]-?[A-Za-z][\w-]*[^.?!]*,$ | \*\s*\{
    """,
    "GraphQL": r"""
      (?:query|mutation|subscription|fragment)\s+\w+.*\{$ | (?:input|scalar|union|directive)\s+[@A-Z]\w*
    """,
}
