// Follows the code of docs/proto.md: serves what that has registered, and calls it.
function leave() { console.log('asked to leave'); }

server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (failure, port) => {
  if (failure) throw failure;
  const client = new plugin.GRPCController(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  client.Shutdown({}, (error) => {
    if (error) throw error;
    console.log('answered');
    client.close();
    server.forceShutdown();
  });
});
