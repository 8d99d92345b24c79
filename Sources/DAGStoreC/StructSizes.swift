internal import CDAGStore

// The sizes in bytes of the structs of `dagstore.h` as version 1 of the library had them, on machines with pointers
// of eight bytes. They never change, so programs that were compiled with that header keep working.

extension dagstore_mount_vtable_t: SizedStruct { static var firstSize: Int { 56 } }
extension dagstore_mount_request_t: SizedStruct { static var firstSize: Int { 24 } }
extension dagstore_mount_source_t: SizedStruct { static var firstSize: Int { 4120 } }
extension dagstore_indexing_info_t: SizedStruct { static var firstSize: Int { 48 } }
extension dagstore_config_t: SizedStruct { static var firstSize: Int { 136 } }
extension dagstore_register_options_t: SizedStruct { static var firstSize: Int { 32 } }
extension dagstore_location_t: SizedStruct { static var firstSize: Int { 32 } }
extension dagstore_entry_t: SizedStruct { static var firstSize: Int { 48 } }
extension dagstore_place_t: SizedStruct { static var firstSize: Int { 40 } }
extension dagstore_info_t: SizedStruct { static var firstSize: Int { 88 } }
extension dagstore_event_t: SizedStruct { static var firstSize: Int { 48 } }
extension dagstore_statistics_t: SizedStruct { static var firstSize: Int { 176 } }
extension dagstore_garbage_t: SizedStruct { static var firstSize: Int { 48 } }
extension dagstore_check_t: SizedStruct { static var firstSize: Int { 64 } }
extension dagstore_problem_t: SizedStruct { static var firstSize: Int { 40 } }
extension dagstore_cid_parts_t: SizedStruct { static var firstSize: Int { 56 } }
extension dagstore_car_info_t: SizedStruct { static var firstSize: Int { 96 } }
extension dagstore_car_verification_t: SizedStruct { static var firstSize: Int { 32 } }
