/** The 63 provinces of the 2020 map (General Statistics Office codes), whose rules decide; the four with directives first. */

const CODES =
  "56 Khánh Hòa|64 Gia Lai|02 Hà Giang|26 Vĩnh Phúc|" +
  "89 An Giang|77 Bà Rịa – Vũng Tàu|24 Bắc Giang|06 Bắc Kạn|95 Bạc Liêu|27 Bắc Ninh|83 Bến Tre|52 Bình Định|74 Bình Dương|" +
  "70 Bình Phước|60 Bình Thuận|96 Cà Mau|92 Cần Thơ|04 Cao Bằng|48 Đà Nẵng|66 Đắk Lắk|67 Đắk Nông|11 Điện Biên|75 Đồng Nai|" +
  "87 Đồng Tháp|35 Hà Nam|01 Hà Nội|42 Hà Tĩnh|30 Hải Dương|31 Hải Phòng|93 Hậu Giang|17 Hòa Bình|33 Hưng Yên|91 Kiên Giang|" +
  "62 Kon Tum|12 Lai Châu|68 Lâm Đồng|20 Lạng Sơn|10 Lào Cai|80 Long An|36 Nam Định|40 Nghệ An|37 Ninh Bình|58 Ninh Thuận|" +
  "25 Phú Thọ|54 Phú Yên|44 Quảng Bình|49 Quảng Nam|51 Quảng Ngãi|22 Quảng Ninh|45 Quảng Trị|94 Sóc Trăng|14 Sơn La|" +
  "72 Tây Ninh|34 Thái Bình|19 Thái Nguyên|38 Thanh Hóa|46 Thừa Thiên Huế|82 Tiền Giang|79 TP Hồ Chí Minh|84 Trà Vinh|" +
  "08 Tuyên Quang|86 Vĩnh Long|15 Yên Bái";

export interface Province {
  code: string;
  name: string;
}

/** All provinces; the first `WITH_DIRECTIVES` have rules of their own. */
export const PROVINCES: readonly Province[] = CODES.split("|").map((text) => ({
  code: text.slice(0, 2),
  name: text.slice(3),
}));

export const WITH_DIRECTIVES = 4;
