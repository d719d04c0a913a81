@echo off
rem deeptwist in the terminals of VS Code, which has this folder on their PATH: run by the Node.js that trains (DEEPTWIST_NODE).
setlocal
set ELECTRON_RUN_AS_NODE=1
if not defined DEEPTWIST_NODE set DEEPTWIST_NODE=node
"%DEEPTWIST_NODE%" "%~dp0..\deeptwist.js" %*
