package pluginpb

import _ "embed"

// descriptorSet has the files of the folder plugin, without what they import and without comments;
// `make generate` writes it.
//
//go:embed plugin.binpb
var descriptorSet string

// FileDescriptorSet returns plugin/broker.proto, plugin/controller.proto and plugin/stdio.proto with the
// names of the wire, as an encoded message google.protobuf.FileDescriptorSet; what they import is not in
// it. Package pluginreflect makes descriptors of it.
func FileDescriptorSet() []byte { return []byte(descriptorSet) }
