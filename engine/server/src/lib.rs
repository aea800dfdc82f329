//! The Model Context Protocol on standard input and output: tools and resources that somebody else answers.
//!
//! This crate alone knows the protocol, and knows nothing of rules: [`serve`] hands each request to its caller, one at a time and
//! on the caller's thread, so that a session there needs no locks. Messages are bounded, and so are those that wait.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation, ListResourceTemplatesResult,
    ListResourcesResult, ListToolsResult, PaginatedRequestParams, ReadResourceRequestParams, ReadResourceResponse,
    ReadResourceResult, Resource as Listed, ResourceContents, ResourceTemplate, ServerCapabilities, ServerConfig,
    Tool as Told, ToolAnnotations,
};
use rmcp::service::{RequestContext, RoleServer};
use rmcp::transport::async_rw::AsyncRwTransport;
use rmcp::{ErrorData, ServerHandler, ServiceExt as _};
use serde_json::{Map, Value};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::oneshot;

/// Largest message that is read, in bytes; a longer one is dropped.
pub const MAX_MESSAGE: usize = 1 << 20;
/// Requests that wait for an answer; a client that sends more is told to wait.
const MOST_WAITING: usize = 32;

/// A tool: a question that changes nothing.
#[derive(Debug, Clone)]
pub struct Tool {
    /// Its name.
    pub name: &'static str,
    /// What it answers.
    pub says: &'static str,
    /// The JSON schema of its arguments.
    pub input: Map<String, Value>,
}

/// Something to read.
#[derive(Debug, Clone)]
pub struct Resource {
    /// `grace://rules`, or with a name in braces: `grace://story/{id}`.
    pub uri: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub says: &'static str,
}

/// What a client is offered.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The program's version.
    pub version: &'static str,
    /// How to use it, in a few sentences.
    pub instructions: &'static str,
    /// Tools.
    pub tools: Vec<Tool>,
    /// Resources.
    pub resources: Vec<Resource>,
}

/// A request.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// A tool is called.
    Tool {
        /// Its name, one of those offered.
        name: String,
        /// Its arguments, as they came.
        arguments: Map<String, Value>,
    },
    /// A resource is read.
    Resource {
        /// Its address, as it came.
        uri: String,
    },
}

/// An answer: JSON to a tool, text to a resource. An error is a sentence that the agent can act on.
pub type Reply = Result<Value, String>;

/// Serves until standard input ends. Each request is answered by `answer`, on this thread.
///
/// # Errors
/// In a sentence, where the protocol cannot be spoken at all.
pub fn serve(offer: Offer, answer: impl FnMut(Ask) -> Reply) -> Result<(), String> {
    serve_on(offer, rmcp::transport::stdio, answer)
}

/// As [`serve`], on other streams. They are made on the thread that serves.
fn serve_on<R, W>(
    offer: Offer,
    streams: impl FnOnce() -> (R, W) + Send + 'static,
    mut answer: impl FnMut(Ask) -> Reply,
) -> Result<(), String>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let (asking, asked): (SyncSender<Asked>, Receiver<Asked>) = sync_channel(MOST_WAITING);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    let speaking = thread::spawn(move || {
        runtime.block_on(async {
            let (read, write) = streams();
            let transport = AsyncRwTransport::new_server(read, write).with_max_line_length(MAX_MESSAGE);
            let service =
                Handler { offer: Arc::new(offer), asking }.serve(transport).await.map_err(|error| error.to_string())?;
            service.waiting().await.map(|_| ()).map_err(|error| error.to_string())
        })
        // The thread that reads standard input may wait for ever; the process ends without it.
    });
    while let Ok(Asked { ask, reply }) = asked.recv() {
        // Who asked may have gone.
        let _gone = reply.send(answer(ask));
    }
    speaking.join().unwrap_or_else(|_| Err("the protocol's thread has a bug".to_owned()))
}

struct Asked {
    ask: Ask,
    reply: oneshot::Sender<Reply>,
}

struct Handler {
    offer: Arc<Offer>,
    asking: SyncSender<Asked>,
}

impl Handler {
    async fn ask(&self, ask: Ask) -> Reply {
        let (reply, answer) = oneshot::channel();
        self.asking
            .try_send(Asked { ask, reply })
            .map_err(|_| "too many questions wait; ask again later".to_owned())?;
        answer.await.unwrap_or_else(|_| Err("the server ends".to_owned()))
    }
}

impl ServerHandler for Handler {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder().enable_tools().enable_resources().build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("grace-rules", self.offer.version))
            .with_instructions(self.offer.instructions)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let tools = self.offer.tools.iter().map(|tool| {
            let only_reads = ToolAnnotations::new().read_only(true).destructive(false).open_world(false);
            Told::new(tool.name, tool.says, Arc::new(tool.input.clone())).with_annotations(only_reads)
        });
        Ok(ListToolsResult::with_all_items(tools.collect()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let name = request.name.to_string();
        let Some(tool) = self.offer.tools.iter().find(|tool| tool.name == name) else {
            return Err(ErrorData::invalid_params(format!("there is no tool `{}`", name.escape_debug()), None));
        };
        let arguments = request.arguments.unwrap_or_default();
        let reply = match unknown(tool, &arguments) {
            Some(why) => Err(why),
            None => self.ask(Ask::Tool { name, arguments }).await,
        };
        Ok(match reply {
            Ok(value) => CallToolResult::structured(value),
            Err(why) => CallToolResult::error(vec![ContentBlock::text(why)]),
        }
        .into())
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let whole = self.offer.resources.iter().filter(|resource| !resource.uri.contains('{'));
        let listed = whole.map(|resource| {
            Listed::new(resource.uri, resource.name).with_description(resource.says).with_mime_type("text/markdown")
        });
        Ok(ListResourcesResult::with_all_items(listed.collect()))
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let named = self.offer.resources.iter().filter(|resource| resource.uri.contains('{'));
        let listed = named.map(|resource| {
            ResourceTemplate::new(resource.uri, resource.name)
                .with_description(resource.says)
                .with_mime_type("text/markdown")
        });
        Ok(ListResourceTemplatesResult::with_all_items(listed.collect()))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        match self.ask(Ask::Resource { uri: request.uri.clone() }).await {
            Ok(Value::String(text)) => {
                Ok(ReadResourceResult::new(vec![ResourceContents::text(text, request.uri)]).into())
            }
            Ok(value) => {
                Ok(ReadResourceResult::new(vec![ResourceContents::text(value.to_string(), request.uri)]).into())
            }
            Err(why) => Err(ErrorData::resource_not_found(why, None)),
        }
    }
}

/// What is wrong with arguments, by the tool's own schema: names that it does not have, and those that it lacks.
fn unknown(tool: &Tool, arguments: &Map<String, Value>) -> Option<String> {
    let known = tool.input.get("properties").and_then(Value::as_object)?;
    let names = || known.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    if let Some(other) = arguments.keys().find(|name| !known.contains_key(*name)) {
        return Some(format!("`{}` is no argument of {}; it takes: {}", other.escape_debug(), tool.name, names()));
    }
    let required = tool.input.get("required").and_then(Value::as_array).into_iter().flatten();
    let missing = required.filter_map(Value::as_str).find(|name| !arguments.contains_key(*name))?;
    Some(format!("{} needs `{missing}`", tool.name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

    use super::*;

    fn offer() -> Offer {
        let schema = json!({"type": "object", "properties": {"what": {"type": "string"}}, "required": ["what"]});
        Offer {
            version: "1",
            instructions: "ask",
            tools: vec![Tool { name: "cost", says: "cost", input: schema.as_object().unwrap().clone() }],
            resources: vec![
                Resource { uri: "grace://rules", name: "rules", says: "rules" },
                Resource { uri: "grace://story/{id}", name: "story", says: "a story" },
            ],
        }
    }

    /// What the server says to some lines.
    fn said(lines: &[String], answer: impl FnMut(Ask) -> Reply) -> Vec<Value> {
        let (client, server) = tokio::io::duplex(1 << 16);
        let (read, mut write) = tokio::io::split(client);
        let hello = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
            "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"},
        }});
        let mut sent = format!("{hello}\n{}\n", json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        for line in lines {
            sent.push_str(line);
            sent.push('\n');
        }
        let expected = 1 + lines.iter().filter(|line| line.len() < MAX_MESSAGE && line.contains("\"id\"")).count();
        let client = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async move {
                let writing = async { write.write_all(sent.as_bytes()).await.unwrap() };
                let reading = async {
                    let mut lines = BufReader::new(read).lines();
                    let mut found = Vec::new();
                    while found.len() < expected {
                        found.push(serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap());
                    }
                    found
                };
                let ((), found): ((), Vec<Value>) = tokio::join!(writing, reading);
                write.shutdown().await.unwrap();
                found
            })
        });
        serve_on(offer(), move || tokio::io::split(server), answer).unwrap();
        client.join().unwrap()
    }

    fn call(id: u32, method: &str, params: Value) -> String {
        json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string()
    }

    fn with_id(said: &[Value], id: u32) -> &Value {
        said.iter().find(|value| value["id"] == id).unwrap()
    }

    #[test]
    fn a_tool_answers_with_json_and_an_error_is_a_sentence_for_the_agent() {
        let lines = [
            call(1, "tools/list", json!({})),
            call(2, "tools/call", json!({"name": "cost", "arguments": {"what": "a"}})),
            call(3, "tools/call", json!({"name": "cost", "arguments": {"what": "none"}})),
            call(4, "tools/call", json!({"name": "cost", "arguments": {}})),
            call(5, "tools/call", json!({"name": "cost", "arguments": {"what": "a", "run": "rm"}})),
            call(6, "tools/call", json!({"name": "run", "arguments": {}})),
            call(7, "resources/read", json!({"uri": "grace://rules"})),
        ];
        let said = said(&lines, |ask| match ask {
            Ask::Tool { arguments, .. } if arguments["what"] == "a" => Ok(json!({"tier": 3})),
            Ask::Tool { .. } => Err("nothing is called `none`".to_owned()),
            Ask::Resource { .. } => Ok(json!("# Rules")),
        });
        assert_eq!(with_id(&said, 0)["result"]["serverInfo"]["name"], "grace-rules");
        assert_eq!(with_id(&said, 1)["result"]["tools"][0]["annotations"]["readOnlyHint"], true);
        assert_eq!(with_id(&said, 2)["result"]["structuredContent"]["tier"], 3);
        assert_eq!(with_id(&said, 3)["result"]["isError"], true);
        assert_eq!(with_id(&said, 4)["result"]["content"][0]["text"], "cost needs `what`");
        assert!(with_id(&said, 5)["result"]["content"][0]["text"].as_str().unwrap().contains("`run`"));
        assert!(with_id(&said, 6)["error"].is_object());
        assert_eq!(with_id(&said, 7)["result"]["contents"][0]["text"], "# Rules");
    }

    #[test]
    fn what_is_too_long_or_no_json_is_dropped_and_the_next_is_answered() {
        let long = call(1, "tools/call", json!({"name": "cost", "arguments": {"what": "x".repeat(MAX_MESSAGE)}}));
        let lines = [long, "{nonsense".to_owned(), call(2, "ping", json!({}))];
        let said = said(&lines, |_| Err("not asked".to_owned()));
        assert!(with_id(&said, 2)["result"].is_object());
        assert_eq!(said.len(), 2);
    }
}
