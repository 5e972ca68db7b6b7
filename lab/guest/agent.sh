#!/bin/sh
# Answers on the report line (docs/lab.md): one word in, lines out, `end`. Words are files in /ask.
echo "handover 1"
while IFS= read -r word; do
  case $word in
  *[!a-z0-9-]* | '') echo "unknown" ;;
  *) if [ -f "/ask/$word.sh" ]; then sh "/ask/$word.sh"; else echo "unknown $word"; fi ;;
  esac
  echo end
done
