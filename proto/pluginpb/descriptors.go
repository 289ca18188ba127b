package pluginpb

import _ "embed"

// descriptorSet contains the files of the folder plugin, without their imports and without
// comments. `make generate` writes it.
//
//go:embed plugin.binpb
var descriptorSet string

// FileDescriptorSet returns plugin/broker.proto, plugin/controller.proto and
// plugin/stdio.proto with their wire names, as an encoded google.protobuf.FileDescriptorSet
// message. Their imports are not included. Package pluginreflect builds descriptors from
// it.
func FileDescriptorSet() []byte { return []byte(descriptorSet) }
